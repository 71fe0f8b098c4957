"""Permission: what a request waits for before it may be sent, and what gives it back."""
