"""Tables of text out of the files that offices publish: CSV, zipped CSV and Excel.

Everything is read as text, so that a code keeps its zeros and a mark in place of a number stays.
"""

from __future__ import annotations  # pandas' own classes are not generic at run time

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from socgrad.arrays import FloatArray
from socgrad.door.table_checks import name_some
from socgrad.errors import TableError

__all__ = ["find_column", "find_columns", "number_column", "read_text_table"]

#: The older files of the Office for National Statistics are in the encoding of Windows.
_ENCODINGS = ("utf-8-sig", "cp1252")
#: Workbooks begin with titles and notes; nobody writes more of them than this.
_TITLE_ROWS = 25


def read_text_table(
    path: str | Path,
    *,
    header: str,
    such_as: str,
    sheet: str | None = None,
    keep: Callable[[str], bool] | None = None,
) -> pd.DataFrame:
    """Read a file as text, with its headers and cells stripped and blanks as missing.

    Parameters
    ----------
    path
        CSV, also compressed (gz, zip), or an Excel workbook (with openpyxl).
    header
        Pattern of a column that the table must have; in a workbook, the first row with such a cell
        is the header.
    such_as
        Such a column, as messages name it.
    sheet
        Pattern of the name of a workbook's sheet; by default the first one with a header.
    keep
        Which columns to read, by their stripped name; by default all. It spares memory in CSV.
    """
    file = Path(path)
    if not file.is_file():
        raise TableError(f"There is no file {str(path)!r}. Expected a CSV file or a workbook.")
    if file.suffix.casefold() in {".xlsx", ".xlsm"}:
        table = _from_workbook(file, header, such_as, sheet)
        if keep is not None:
            table = table.loc[:, [name for name in table.columns if keep(name)]]
    else:
        table = _from_csv(file, keep)
    if not any(re.search(header, name, re.IGNORECASE) for name in table.columns):
        raise TableError(
            f"{file.name} has no column such as {such_as}: its columns are "
            f"{name_some(list(table.columns), limit=8)}. Pass the file as it was published."
        )
    return table


def _from_csv(file: Path, keep: Callable[[str], bool] | None) -> pd.DataFrame:
    chosen = None if keep is None else (lambda name: keep(_plain(name)))
    for encoding in _ENCODINGS:
        try:
            table = pd.read_csv(
                file,
                dtype="str",
                keep_default_na=False,
                encoding=encoding,
                usecols=chosen,
                skipinitialspace=True,
            )
        except UnicodeDecodeError:
            continue
        except (OSError, EOFError, ValueError, pd.errors.ParserError) as failure:
            raise TableError(
                f"{file.name} cannot be read as a table of comma-separated values ({failure}). "
                "Save it again from its source, as CSV or as a workbook (.xlsx)."
            ) from failure
        return _stripped(table)
    raise TableError(f"{file.name} is neither UTF-8 nor Windows text. Save it again as UTF-8.")


def _from_workbook(file: Path, header: str, such_as: str, sheet: str | None) -> pd.DataFrame:
    try:
        sheets = pd.read_excel(file, sheet_name=None, header=None, dtype="str", na_filter=False)
    except ImportError as failure:
        raise TableError(
            f"{file.name} is a workbook, and openpyxl is not installed: pip install "
            "'socgrad[workbooks]', or save the sheet as CSV."
        ) from failure
    except Exception as failure:  # openpyxl has no exception of its own for a broken file
        raise TableError(f"{file.name} cannot be read as a workbook ({failure}).") from failure
    for name, cells in sheets.items():
        if sheet is not None and not re.fullmatch(sheet, str(name).strip(), re.IGNORECASE):
            continue
        top = cells.head(_TITLE_ROWS).astype("str")
        is_header = [
            any(re.search(header, cell, re.IGNORECASE) for cell in row)
            for row in top.itertuples(index=False)
        ]
        if any(is_header):
            first = is_header.index(True)
            table = cells.iloc[first + 1 :].reset_index(drop=True)
            table.columns = pd.Index([str(cell) for cell in cells.iloc[first]])
            return _stripped(table)
    wanted = "" if sheet is None else f" named {sheet!r}"
    raise TableError(
        f"{file.name} has no sheet{wanted} with a column such as {such_as}: its sheets are "
        f"{name_some(list(sheets), limit=12)}."
    )


def _stripped(table: pd.DataFrame) -> pd.DataFrame:
    table.columns = pd.Index([_plain(name) for name in table.columns])
    for name in table.columns.unique():
        if isinstance(table[name], pd.Series):
            text = table[name].astype("str").str.strip()
            table[name] = text.mask(text == "")
    return table.dropna(how="all").reset_index(drop=True)


def _plain(name: object) -> str:
    """A header without line breaks, doubled spaces and the byte order mark of a file."""
    return " ".join(str(name).replace("\ufeff", "").split())


def find_columns(table: pd.DataFrame, pattern: str) -> list[str]:
    """Names of the columns that match a pattern as a whole, whatever their case."""
    return [str(name) for name in table.columns if re.fullmatch(pattern, name, re.IGNORECASE)]


def find_column(
    table: pd.DataFrame, pattern: str, *, what: str, file: str, advice: str = ""
) -> str:
    """The one column that matches a pattern; none and several are refused."""
    found = find_columns(table, pattern)
    if len(found) == 1:
        return found[0]
    if found:
        raise TableError(
            f"{file} has {len(found)} columns of {what}: {name_some(found)}. {advice}".strip()
        )
    raise TableError(
        f"{file} has no column of {what}: its columns are "
        f"{name_some(list(table.columns), limit=12)}. {advice}".strip()
    )


def number_column(
    values: pd.Series[Any], *, where: str, marks: Mapping[str, str] | None = None
) -> FloatArray:
    """Numbers of a column of text, NaN where it is missing or holds one of the marks."""
    known = values.isna().to_numpy(dtype=bool)
    if marks:
        known = known | values.str.casefold().isin(list(marks)).to_numpy(dtype=bool)
    number = np.asarray(pd.to_numeric(values.where(~known), errors="coerce"), dtype=np.float64)
    wrong = np.isnan(number) & ~known
    if wrong.any():
        texts = [f"{values.iloc[i]!r} in row {i + 1}" for i in np.flatnonzero(wrong)[:3]]
        raise TableError(
            f"{where} holds text that is no number in {int(wrong.sum()):,} of {len(values):,} rows "
            f"({name_some(texts)}). Expected plain numbers, as published: a spreadsheet may have "
            "added thousands separators or made dates of them."
        )
    return number
