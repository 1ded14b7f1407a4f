"""Reports, read: pages at once, tasks in the background, their files."""
