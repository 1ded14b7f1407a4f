"""What an ad account consists of, in TikTok's own words: values, made of answers by `read_…`.

Fields are called as TikTok calls them. Enumerations are plain strings, for new words come without
notice. Money is in the account's currency. Times are UTC. What TikTok does not say is None.
"""
