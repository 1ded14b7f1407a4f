"""Reports: what may be asked, how it is cut to TikTok's limits, how its rows are read.

request    one typed request, refused with the mend when TikTok would refuse it
metrics    the metrics: kinds, and the levels that have them
choice     at once or as a task: by size, and why
slices     a request cut to the limits of days and ids, and narrowed after a time-out
rows       rows of pages and of files, as values
table      a file, checked to be whole
tasks      what is remembered of a task, to go on after a crash
restated   which days have to be read again
http       what waits: pages, tasks, files
"""
