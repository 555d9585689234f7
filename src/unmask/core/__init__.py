"""What every stage uses: configuration, errors, files, manifests, runs, hashing, progress."""
