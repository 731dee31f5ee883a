"""A sheet of past experiments whose columns are mapped, with one row."""

from __future__ import annotations

import io
from collections.abc import Sequence

from django.db import transaction

from accounts.models import Project
from artifacts.actions.uploads import append_upload, begin_upload, finish_upload
from experiments.actions.sheets import bring_sheet, header_digest, keep_sheet, map_sheet
from experiments.models import SheetImport, SheetMapping
from experiments.sheets import lease
from experiments.sheets.mapping import Mapping
from experiments.sheets.running import Sheet
from kernel.actor import Actor, system


def a_mapped_sheet(actor: Actor, project: Project, word: str, *, worksheets: Sequence[str] = ()) -> SheetImport:
    """As if its file had been read: `word` stands in its name, header and cells. worksheets: of its workbook."""
    with transaction.atomic():  # the worker hears of it once all of this is done
        return _mapped(actor, project, word, worksheets)


def _mapped(actor: Actor, project: Project, word: str, worksheets: Sequence[str]) -> SheetImport:
    content = f"experiment,{word}\n{word},1\n".encode()
    upload = begin_upload(actor, project, size_bytes=len(content), purpose=word)
    upload = finish_upload(actor, append_upload(actor, upload, offset=0, incoming=io.BytesIO(content)))
    sheet = bring_sheet(actor, project, upload=str(upload.pk), name=f"{word}.csv")
    mine = lease.take(sheet.pk)
    assert mine is not None
    read = Sheet(
        "csv",
        worksheets=worksheets,
        worksheet=next(iter(worksheets), ""),
        header=["experiment", word],
        rows=[(2, [word, "1"])],
    )
    sheet = keep_sheet(system(), sheet, lease=mine, read=read)
    return map_sheet(actor, sheet, mapping=Mapping(["experiment", "param:lr"], {"architecture": word}))


def a_remembered_mapping(sheet: SheetImport) -> SheetMapping:
    """As if the sheet had been checked once: the next one with its header begins with its columns."""
    digest = header_digest(sheet.header)
    return SheetMapping.objects.create(project=sheet.project, header_digest=digest, mapping=sheet.mapping)
