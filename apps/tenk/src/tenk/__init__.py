"""Reads a company's 10-K and fills a structured analysis, every claim with its proof in the filing."""
