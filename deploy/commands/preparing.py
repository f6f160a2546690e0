"""`carespace migrate` and `carespace secrets`."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import click

from deploy.commands.saying import as_json, console, data_dir, in_a_loop, say_json
from deploy.databases import Databases
from deploy.problem import Problem
from libs.runtime.trust import Certificates


@dataclass(frozen=True, kw_only=True)
class Settings(Databases):
    """What `carespace migrate` needs to be told where nothing runs on this machine."""

    nats_url: str
    nats_credentials: str
    nats_ca: Certificates = ""
    role_passwords: str = field(default="", repr=False)


@click.command()
@click.option("--replicas", default=1, show_default=True, help="How many servers keep each stream.")
@click.option("--check", is_flag=True, help="Only say what differs; exit code 1 if anything does.")
@as_json
@data_dir
@in_a_loop
async def migrate(*, replicas: int, check: bool, as_json: bool, data_dir: Path) -> None:
    """Roles, schemas, tables, streams and consumers. Again changes nothing.

    In a cluster: CARESPACE_DATABASE_URL of an administrator, CARESPACE_NATS_URL and
    CARESPACE_NATS_CREDENTIALS of the provisioner, and CARESPACE_ROLE_PASSWORDS
    ("identity:secret,records:secret"), each also as NAME_FILE. A schema that has a Postgres of its
    own: CARESPACE_RECORDS_DATABASE_URL, and the like for the others.

    Example: carespace migrate --replicas 3
    """
    from deploy import databases, streams
    from deploy import migrate as database

    there, told = _where(data_dir), list[str]()
    async with (
        streams.provisioner(
            there.nats_url, there.nats_credentials, ca=there.nats_ca, patience=30
        ) as jetstream,
        databases.opened(there, preparing=True) as connections,
    ):
        for admin, services in databases.together(connections):
            await database.assure_durable(admin)
            if check:
                told += await database.missing(admin, services)
            else:
                await database.roles(admin, _passwords(there), services)
                applied = await database.migrations(admin, services)
                told += [f"{name} is applied." for name in applied]
        if check:
            told += await streams.drift(jetstream, replicas=replicas)
        else:
            await streams.provision(jetstream, replicas=replicas)
    if as_json:
        say_json({"differs" if check else "applied": told})
    else:
        console.print("\n".join(told) or "All is as it should be.")
    raise SystemExit(bool(check and told))


def _where(folder: Path) -> Settings:
    from deploy import installation, keys
    from libs.runtime import config

    if {"CARESPACE_DATABASE_URL", "CARESPACE_DATABASE_URL_FILE"} & os.environ.keys():
        try:
            return config.from_environment(Settings)
        except config.Misconfigured as sentence:
            raise Problem(str(sentence)) from None
    here = installation.running(folder.resolve())
    return Settings(
        database_url=here.database_url("admin"),
        nats_url=here.environment("operator")["CARESPACE_NATS_URL"],
        nats_credentials=str(keys.seed_file(here.folder / "keys", "provisioner")),
        role_passwords=",".join(f"{role}:{word}" for role, word in here.keys.postgres.items()),
    )


def _passwords(there: Settings) -> dict[str, str]:
    pairs = [pair.partition(":") for pair in there.role_passwords.split(",") if pair]
    return {role.strip(): secret.strip() for role, _, secret in pairs}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--database",
    default="postgres:5432/postgres",
    show_default=True,
    help="HOST:PORT/NAME, as the services reach it.",
)
@click.option("--owner", type=click.IntRange(min=0), help="The account number that reads them.")
@as_json
def secrets(*, folder: Path, database: str, owner: int | None, as_json: bool) -> None:
    """Every secret of an installation, a file each, in FOLDER. Again changes none of them.

    FOLDER/keys.json is what the others are made from: no part needs it, so keep it apart.

    Example: carespace secrets secrets --owner 10001
    """
    from deploy import secret_files

    made = secret_files.write(folder, database=database, owner=owner)
    if as_json:
        say_json({"made": made})
    else:
        console.print("\n".join(f"{name} is made." for name in made) or "All were there already.")
