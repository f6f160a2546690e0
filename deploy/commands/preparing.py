"""`carespace migrate`, `carespace nats-config` and `carespace secrets`."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import click

from deploy.commands.saying import as_json, console, data_dir, in_a_loop, say_json
from deploy.problem import Problem


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `carespace migrate` needs to be told where nothing runs on this machine."""

    database_url: str = field(repr=False)
    nats_url: str
    nats_credentials: str
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
    ("identity:secret,records:secret"), each also as NAME_FILE.

    Example: carespace migrate --replicas 3
    """
    from deploy import migrate as database
    from deploy import streams

    url, nats_url, seed, passwords = _where(data_dir)
    async with streams.provisioner(nats_url, seed) as jetstream:
        admin = await database.connected(url)
        try:
            await database.assure_durable(admin)
            if check:
                told = await database.missing(admin)
                told += await streams.drift(jetstream, replicas=replicas)
            else:
                await database.roles(admin, passwords)
                told = [f"{name} is applied." for name in await database.migrations(admin)]
                await streams.provision(jetstream, replicas=replicas)
        finally:
            await admin.close()
    if as_json:
        say_json({"differs" if check else "applied": told})
    else:
        console.print("\n".join(told) or "All is as it should be.")
    raise SystemExit(bool(check and told))


def _where(folder: Path) -> tuple[str, str, str, dict[str, str]]:
    from deploy import installation, keys
    from libs.runtime import config

    if {"CARESPACE_DATABASE_URL", "CARESPACE_DATABASE_URL_FILE"} & os.environ.keys():
        try:
            given = config.from_environment(Settings)
        except config.Misconfigured as sentence:
            raise Problem(str(sentence)) from None
        pairs = [pair.partition(":") for pair in given.role_passwords.split(",") if pair]
        passwords = {role.strip(): secret.strip() for role, _, secret in pairs}
        return given.database_url, given.nats_url, given.nats_credentials, passwords
    here = installation.running(folder.resolve())
    seed = keys.seed_file(here.folder / "keys", "provisioner")
    url = here.environment("operator")["CARESPACE_NATS_URL"]
    return here.database_url("admin"), url, str(seed), here.keys.postgres


@click.command("nats-config")
@click.option(
    "--keys",
    "keys_folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder with the users' keys; they are made if they are not there.",
)
@click.option("--listen", default="127.0.0.1:4222", show_default=True, help="HOST:PORT.")
@click.option("--store", default="/data", show_default=True, help="Where the server keeps streams.")
@as_json
def nats_config(*, keys_folder: Path, listen: str, store: str, as_json: bool) -> None:
    """The NATS server's accounts and permissions, from the contracts.

    Each part's own key is in KEYS/PART.nk, for its CARESPACE_NATS_CREDENTIALS.

    Example: carespace nats-config --keys keys --listen 0.0.0.0:4222 > nats.conf
    """
    from deploy import keys
    from deploy import nats_config as accounts

    if as_json:
        say_json(accounts.users())
        return
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise click.UsageError("--listen wants HOST:PORT.")
    try:
        public = keys.kept(keys_folder).nats_public()
    except OSError as error:
        raise Problem(f"The folder {keys_folder} can't be used: {error.strerror}.") from None
    click.echo(accounts.render(public, host=host, port=int(port), store=store), nl=False)


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
