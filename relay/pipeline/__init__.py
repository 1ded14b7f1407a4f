"""The one path of an event, and the only folder that knows all stages.

`accept.py`    bytes → source → conversion → normalize → journal: what a 2xx stands for
`dispatch.py`  journal → batch → deliver → verdict → outcome: one loop per destination
`replay.py`    dead letters back onto the path

Nothing is decided here: a decision that turns up here belongs into a pure file of a stage.
"""
