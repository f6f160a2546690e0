"""Resources: where to read more, by the practice and by those it trusts."""

from aiohttp import web

from gateway import session, shell
from gateway.rendering import render
from libs.contracts.identity.practices import Link

FOR_EVERYONE = (
    Link(
        title="National Cancer Institute",
        url="https://www.cancer.gov",
        about="Types of cancer, treatments and studies, by the United States government.",
    ),
    Link(
        title="American Cancer Society",
        url="https://www.cancer.org",
        about="Help day and night, rides, lodging, and someone to talk to.",
    ),
    Link(
        title="CancerCare",
        url="https://www.cancercare.org",
        about="Free counseling, groups, and help with money.",
    ),
)

routes = web.RouteTableDef()


@routes.get("/p/{patient}/resources", name="resources")
async def resources(request: web.Request) -> web.Response:
    acting = await session.acting(request)
    chrome = await shell.record(request, acting, tab="resources", named=True)
    practice = await session.practice(request, acting.access.practice_id)
    return render(request, "resources/index.html", chrome, practice=practice, everyone=FOR_EVERYONE)
