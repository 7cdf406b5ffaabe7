"""`/docs`: the interactive description of the API, whole with the network off.

Swagger UI's files come from the package `fastapi-swagger`, as data; the page and its script are ours, so that
the content security policy needs no inline script.
"""

from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from nkqa.server.problems import Problem

router = APIRouter(include_in_schema=False)

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>nkqa: the API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<noscript>This page needs scripts; what it shows is <a href="openapi.json">openapi.json</a>.</noscript>
<div id="api"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = b"""SwaggerUIBundle({
  url: "openapi.json", dom_id: "#api", deepLinking: true, tryItOutEnabled: true, validatorUrl: null,
  defaultModelsExpandDepth: 0, displayRequestDuration: true,
});
"""
_TYPES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
    "start.js": "text/javascript",
}


@cache
def _asset(name: str) -> bytes:
    if name == "start.js":
        return _START
    return files("fastapi_swagger").joinpath("resources", name).read_bytes()


@router.get("/docs")
async def page() -> HTMLResponse:
    """Return the page."""
    return HTMLResponse(_PAGE)


@router.get("/docs/{name}")
async def asset(name: str) -> Response:
    """Return one of the page's files."""
    if name not in _TYPES:
        raise Problem("not-found")
    return Response(_asset(name), media_type=_TYPES[name], headers={"cache-control": "max-age=86400"})
