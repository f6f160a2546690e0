"""`carespace patients import` and `carespace import`: lists and clinical files come in."""

import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import Progress

from deploy.commands.saying import as_json, console, data_dir, in_a_loop, say_json, table

if TYPE_CHECKING:
    from libs.contracts.records.imports import Import

practice = click.option("--practice", "named", required=True, help="The practice's name or id.")
file_path = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def patients() -> None:
    """The patients of a practice."""


@patients.command("import")
@click.argument("file", type=file_path)
@practice
@click.option("--preview", is_flag=True, help="Read and check every line, and add nobody.")
@click.option("--no-invite", is_flag=True, help="Send no registration letters.")
@as_json
@data_dir
@in_a_loop
async def import_patients(  # noqa: PLR0913  (one for each thing that can be said)
    *, file: Path, named: str, preview: bool, no_invite: bool, as_json: bool, data_dir: Path
) -> None:
    """A list: given name, family name, birth date, e-mail, MRN, in any order of columns.

    Example: carespace patients import list.csv --practice "Lakeside Oncology" --preview
    """
    from deploy import reach
    from libs.contracts.records.patients import CSV_LIMIT, ImportPatients
    from libs.runtime.broker import ask

    if file.stat().st_size > CSV_LIMIT:
        raise click.UsageError("The list is too long: at most 5,000 lines, 1 MB.")
    async with reach.asking(reach.reach(data_dir, "operator")) as broker:
        desk = reach.Desk(broker, (await reach.practice(broker, named)).practice_id)
        asked = ImportPatients(
            visa=await desk.visa(),
            content=file.read_bytes(),
            invite=not no_invite,
            preview=preview,
        )
        read = await ask(broker, asked, within=60)
    if as_json:
        say_json(read)
    else:
        for line in read.lines:
            if line.outcome not in ("added", "unchanged"):
                console.print(f"Line {line.number}: {line.outcome.replace('_', ' ')}")
        would = "would be " if preview else ""
        console.print(
            f"{read.added} {would}added, {read.unchanged} unchanged, {read.refused} refused."
        )
    raise SystemExit(bool(read.refused))


@click.command("import")
@click.argument("files", type=file_path, nargs=-1, required=True)
@practice
@as_json
@data_dir
@in_a_loop
async def import_files(
    *, files: tuple[Path, ...], named: str, as_json: bool, data_dir: Path
) -> None:
    """FHIR R4, C-CDA and HL7 v2 files. Importing one again changes nothing.

    Exit code 1 if anything waits for somebody, or could not be read.

    Example: carespace import --practice "Lakeside Oncology" results/*.json
    """
    from deploy import importing, reach

    reports: list[Import] = []
    async with reach.asking(reach.reach(data_dir, "operator")) as broker:
        desk = reach.Desk(broker, (await reach.practice(broker, named)).practice_id)
        with Progress(console=console, transient=True, disable=as_json) as shown:
            task = shown.add_task("Importing", total=sum(file.stat().st_size for file in files))
            for file in files:
                shown.update(task, description=file.name)
                kind = mimetypes.guess_type(file.name)[0] or ""
                reports.append(
                    await importing.bring_in(
                        desk,
                        file,
                        media_type=kind,
                        progress=lambda size: shown.advance(task, size),
                    )
                )
    if as_json:
        say_json(reports)
    else:
        _tell(reports)
    raise SystemExit(any(report.problem or _waiting(report) for report in reports))


def _waiting(report: "Import") -> int:
    return sum(1 for subject in report.subjects if subject.why_waiting and not subject.settled)


def _tell(reports: "list[Import]") -> None:
    listed = table("File", "Format", "Results", "Documents", "Unchanged", "Left out", "Waiting")
    for report in reports:
        of = report.subjects
        listed.add_row(
            report.file_name,
            report.format,
            str(sum(subject.results_taken + subject.results_corrected for subject in of)),
            str(sum(subject.documents_taken for subject in of)),
            str(sum(subject.results_unchanged + subject.documents_unchanged for subject in of)),
            str(sum(left.count for left in report.left_out)),
            str(_waiting(report)),
        )
    console.print(listed)
    for report in reports:
        if report.problem:
            console.print(f"{report.file_name}: {report.problem}", markup=False)
        for left in report.left_out:
            why = left.reason.replace("_", " ")
            console.print(
                f"{report.file_name}: left out {left.count} × {left.what}: {why} ({left.where})",
                markup=False,
            )
