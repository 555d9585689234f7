"""From the words after `--inputs` to raw texts: sources, slices, packings, formats."""
