"""What a process has once: threads that are reused, the order in which it ends, the locks of a fork."""
