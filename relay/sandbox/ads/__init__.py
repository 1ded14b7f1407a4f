"""The ad account that the stand-in plays: who advertises, what people do, what TikTok counts."""
