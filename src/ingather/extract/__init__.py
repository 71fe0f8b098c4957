"""One pydantic model taken apart into calls, and put together again: what to ask, and what next. No I/O."""
