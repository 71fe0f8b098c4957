"""Target we ask: the dialects, and what any provider is."""
