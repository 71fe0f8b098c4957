"""One client a file: each makes the same calls its own way, and prints what they took as one line of JSON.

A file runs alone, in whatever environment holds its library, and imports nothing of ours but
`measured`.
"""
