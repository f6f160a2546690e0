"""Stylesheet, script and fonts: under names that change with their content, kept for a year."""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

FOLDER = Path(__file__).parent / "static"
PACKED_TYPES = {"text/css", "text/javascript", "image/svg+xml", "text/html", "application/json"}
SMALLEST = 500
"""Bytes; less than this fits into one packet as it is."""
FAST = 5
"""The level of gzip for pages, which are packed each time."""
A_YEAR = "public, max-age=31536000, immutable"

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is served."""

    body: bytes
    packed: bytes
    """The same under gzip; nothing for what is packed already."""
    media_type: str


@cache
def published() -> dict[str, StaticFile]:
    """Every file of ours by its published name: `carespace.3f2a91c4d0.css`."""
    found = sorted(path for path in FOLDER.rglob("*") if path.is_file())
    fonts = {path: path.read_bytes() for path in found if path.suffix == ".woff2"}
    names = {_name(path): _hashed(path, body) for path, body in fonts.items()}
    files = {_hashed(path, body): _file(path, body) for path, body in fonts.items()}
    for path in found:
        if path.suffix in {".css", ".js", ".svg"}:
            body = path.read_bytes()
            if path.suffix == ".css":
                body = _with_fonts(_lean(body.decode()), names).encode()
            files[_hashed(path, body)] = _file(path, body)
    return files


@cache
def addresses() -> dict[str, str]:
    """The published name of each file: "carespace.css" → "/static/carespace.3f2a91c4d0.css"."""
    digest = re.compile(r"\.[0-9a-f]{10}(?=\.\w+$)")
    return {digest.sub("", name): f"/static/{name}" for name in published()}


def static(name: str) -> str:
    """Where a browser finds a file of ours."""
    return addresses()[name]


@cache
def preloaded() -> tuple[str, ...]:
    """The fonts that every page needs at once; none where they were not made."""
    return tuple(addresses()[name] for name in ("fonts/atkinson-400.woff2",) if name in addresses())


def _name(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


def _hashed(path: Path, body: bytes) -> str:
    digest = hashlib.sha256(body).hexdigest()[:10]
    return f"{_name(path).removesuffix(path.suffix)}.{digest}{path.suffix}"


def _lean(text: str) -> str:
    """A stylesheet without its comments and indents, which only we read."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"\n\s*", "\n", text).strip()


def _with_fonts(text: str, names: dict[str, str]) -> str:
    """Fonts under their published names; a face whose file was not made is left out."""

    def face(rule: re.Match[str]) -> str:
        source = re.search(r'url\("([^"]+)"\)', rule[0])
        name = source[1] if source else ""
        return rule[0].replace(name, f"/static/{names[name]}") if name in names else ""

    return re.sub(r"@font-face \{[^}]*\}\n?", face, text)


def _file(path: Path, body: bytes) -> StaticFile:
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(body, 9, mtime=0) if media_type in PACKED_TYPES else b""
    return StaticFile(body=body, packed=packed, media_type=media_type)


@routes.get("/static/{name:.+}", name="static")
async def serve(request: web.Request) -> web.Response:
    """A file under its published name; under any other there is none.

    A document in a sandboxed frame counts as another site and needs the stylesheet too.
    """
    file = published().get(request.match_info["name"])
    if file is None:
        raise web.HTTPNotFound
    response = web.Response(
        body=file.body,
        content_type=file.media_type,
        charset="utf-8" if file.packed else None,
        headers={hdrs.CACHE_CONTROL: A_YEAR, "Cross-Origin-Resource-Policy": "cross-origin"},
    )
    if file.packed:
        response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
        if takes_gzip(request):
            response.body = file.packed
            response.headers[hdrs.CONTENT_ENCODING] = "gzip"
    return response


@web.middleware
async def compressed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Pages go packed where the browser takes it.

    Every page holds a form proof of its own session and nothing that another site can place in
    it twice, so that its packed length tells nothing (BREACH).
    """
    response = await handler(request)
    if (
        isinstance(response, web.Response)
        and isinstance(response.body, bytes)
        and len(response.body) >= SMALLEST
        and response.content_type in PACKED_TYPES
        and hdrs.CONTENT_ENCODING not in response.headers
    ):
        response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
        if takes_gzip(request):
            response.body = gzip.compress(response.body, FAST, mtime=0)
            response.headers[hdrs.CONTENT_ENCODING] = "gzip"
    return response


def takes_gzip(request: web.Request) -> bool:
    """Whether this browser unpacks gzip."""
    for offer in request.headers.get(hdrs.ACCEPT_ENCODING, "").split(","):
        name, _, quality = offer.partition(";")
        if name.strip().lower() == "gzip":
            return not re.fullmatch(r"\s*q=0(\.0*)?\s*", quality)
    return False
