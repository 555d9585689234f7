"""Text to ids and back: byte-level BPE and WordPiece, trained or imported."""
