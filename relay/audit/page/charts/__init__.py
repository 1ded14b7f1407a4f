"""The pictures, drawn by small functions as inline SVG. Pure."""
