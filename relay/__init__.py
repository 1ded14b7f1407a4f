"""A conversions relay for TikTok's Events API.

`pipeline.py` is the map: read it first, then the folder a question concerns.
"""
