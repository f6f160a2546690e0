"""`carespace nats-config`."""

from pathlib import Path

import click

from deploy.commands.saying import as_json, say_json
from deploy.problem import Problem


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
@click.option("--tls-cert", default="", help="The server's certificate, a path on its machine.")
@click.option("--tls-key", default="", help="The certificate's key.")
@click.option("--tls-ca", default="", help="Whom other servers of the cluster are believed by.")
@click.option("--cluster-name", default="", help="The same in every server of one cluster.")
@click.option("--server-name", default="", help="This server's own.")
@click.option("--cluster-listen", default="", help="HOST:PORT for the other servers.")
@click.option("--route", "routes", multiple=True, help="HOST:PORT of a server of the cluster.")
@click.option(
    "--helm-values", is_flag=True, help="For NATS's own Helm chart, in place of a server's file."
)
@click.option("--tls-secret", default="", help="With --helm-values: tls.crt, tls.key and ca.crt.")
@as_json
def nats_config(  # noqa: PLR0913  (click gives each option by name)
    *,
    keys_folder: Path,
    listen: str,
    store: str,
    tls_cert: str,
    tls_key: str,
    tls_ca: str,
    cluster_name: str,
    server_name: str,
    cluster_listen: str,
    routes: tuple[str, ...],
    helm_values: bool,
    tls_secret: str,
    as_json: bool,
) -> None:
    """The NATS server's accounts and permissions, from the contracts.

    Each part's own key is in KEYS/PART.nk, for its CARESPACE_NATS_CREDENTIALS. With --route
    it is written for one server of a cluster, whose servers talk by TLS, and holds their password
    for one another: keep the file as you keep the keys. --helm-values holds no secret.

    Example: carespace nats-config --keys keys --listen 0.0.0.0:4222 > nats.conf
    """
    from deploy import keys, nats_chart
    from deploy import nats_config as accounts

    if as_json:
        say_json(accounts.users())
        return
    clustered = (cluster_name, server_name, cluster_listen, *routes)
    if tls_secret and not helm_values:
        raise click.UsageError("--tls-secret goes with --helm-values.")
    if helm_values and (tls_cert or any(clustered)):
        raise click.UsageError(
            "With --helm-values, the chart says where servers and certificates are: leave out "
            "--tls-cert and what belongs to a cluster."
        )
    if bool(tls_cert) != bool(tls_key):
        raise click.UsageError("--tls-cert and --tls-key go together.")
    if any(clustered) and not all((*clustered, routes, tls_cert, tls_ca)):
        raise click.UsageError(
            "A cluster wants --cluster-name, --server-name, --cluster-listen, --route, --tls-cert, "
            "--tls-key and --tls-ca."
        )
    host, port = _host_and_port("--listen", listen)
    try:
        made = keys.kept(keys_folder)
    except OSError as error:
        raise Problem(f"The folder {keys_folder} can't be used: {error.strerror}.") from None
    if helm_values:
        click.echo(nats_chart.rendered(made.nats_public(), tls_secret=tls_secret), nl=False)
        return
    cluster = None
    if routes:
        cluster_host, cluster_port = _host_and_port("--cluster-listen", cluster_listen)
        for route in routes:
            _host_and_port("--route", route)
        cluster = accounts.Cluster(
            name=cluster_name,
            server=server_name,
            host=cluster_host,
            port=cluster_port,
            routes=routes,
            password=made.nats_route,
        )
    tls = accounts.Tls(cert=tls_cert, key=tls_key, ca=tls_ca) if tls_cert else None
    rendered = accounts.render(made.nats_public(), host=host, port=port, store=store)
    click.echo(rendered + (accounts.guarded(tls, cluster) if tls else ""), nl=False)


def _host_and_port(option: str, given: str) -> tuple[str, int]:
    host, _, port = given.rpartition(":")
    if not host or not port.isdecimal():
        raise click.UsageError(f"{option} wants HOST:PORT.")
    return host, int(port)
