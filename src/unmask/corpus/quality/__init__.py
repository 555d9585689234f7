"""What a document is worth: cleaning, filters, and samples of what was dropped."""
