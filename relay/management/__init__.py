"""TikTok's Marketing API v1.3: reads what an ad account is, spends and reports."""
