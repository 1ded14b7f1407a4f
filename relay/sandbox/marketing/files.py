"""Reports as files: CSV and XLSX. Pure; a CSV is made a piece at a time."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO, StringIO
from itertools import islice
from typing import Final
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

_ROWS_AT_ONCE: Final = 500

_TITLES: Final = {
    "spend": "Cost",
    "ctr": "CTR (Destination)",
    "cpc": "CPC (Destination)",
    "cpm": "CPM",
    "clicks": "Clicks (Destination)",
    "conversion": "Conversions",
    "stat_time_day": "By Day",
    "stat_time_hour": "By Hour",
    "complete_payment": "Purchases (website)",
    "total_complete_payment_rate": "Purchase value (website)",
}

Texts = Sequence[str]


def title(name: str) -> str:
    """What a column is called where titles are translated."""
    return _TITLES.get(name) or name.replace("_", " ").capitalize().replace(" id", " ID")


def csv_chunks(header: Texts, rows: Iterable[Texts]) -> Iterator[bytes]:
    yield _csv([header])
    left = iter(rows)
    while some := list(islice(left, _ROWS_AT_ONCE)):
        yield _csv(some)


def _csv(rows: Iterable[Texts]) -> bytes:
    written = StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue().encode()


_PARTS: Final = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/'
        'vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/'
        'vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET: Final = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
#: The most rows that a sheet can have.
MOST_ROWS: Final = 1_048_576


def xlsx(header: Texts, rows: Iterable[Texts]) -> bytes:
    """One sheet of texts; what is beyond a sheet's rows is left out."""
    written = BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED) as package:
        for name, part in _PARTS.items():
            package.writestr(name, _XML + part)
        with package.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f"{_XML}{_SHEET}<sheetData>{_row(header)}".encode())
            for row in islice(rows, MOST_ROWS - 1):
                sheet.write(_row(row).encode())
            sheet.write(b"</sheetData></worksheet>")
    return written.getvalue()


def _row(texts: Texts) -> str:
    cells = (f'<c t="inlineStr"><is><t>{escape(each)}</t></is></c>' for each in texts)
    return f"<row>{''.join(cells)}</row>"
