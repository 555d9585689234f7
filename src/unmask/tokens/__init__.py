"""Documents to token shards; shards to training blocks."""
