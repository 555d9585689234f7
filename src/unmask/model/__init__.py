"""The encoder and its heads, pure torch; weights in the formats of the field."""
