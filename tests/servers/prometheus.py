import shutil
def is_available() -> bool:
    return all(shutil.which(each) for each in ("prometheus", "promtool"))
