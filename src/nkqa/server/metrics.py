"""`GET /metrics`: counts for Prometheus, kept apart for each app, without anything that a person wrote."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from nkqa.engine import Engine
from nkqa.server.problems import documented
from nkqa.server.work import Work
from nkqa.types import Answer

router = APIRouter(tags=["operation"])
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """What is counted."""

    def __init__(self, engine: Engine, work: Work) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "nkqa_requests",
            "Requests by method, route and status.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "nkqa_request_seconds",
            "Time to answer, by route.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._stages = Histogram(
            "nkqa_stage_seconds",
            "Time by stage of an answer.",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._answers = Counter(
            "nkqa_answers",
            "Answers by status; abstentions by reason.",
            ["status", "reason"],
            registry=registry,
        )
        self._llm = Counter("nkqa_llm", "What became of language model calls.", ["status"], registry=registry)
        self._refused = Counter(
            "nkqa_refused", "Requests refused at the door.", ["problem"], registry=registry
        )
        in_flight = Gauge("nkqa_in_flight", "Questions in work or waiting.", registry=registry)
        in_flight.set_function(lambda: work.running)
        manifest = engine.manifest
        index = Gauge(
            "nkqa_index", "The index that is served.", ["fingerprint", "model", "version"], registry=registry
        )
        index.labels(manifest.corpus_fingerprint[:16], manifest.embedding_model, manifest.nkqa_version).set(1)
        built = datetime.fromisoformat(manifest.built_at)
        age = Gauge("nkqa_index_age_seconds", "Time since the index was built.", registry=registry)
        age.set_function(lambda: (datetime.now(UTC) - built).total_seconds())

    def requested(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; status 0 is one whose client went away before an answer."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def answered(self, answer: Answer) -> None:
        """Count an answer with its stages, from its timings."""
        self._answers.labels(answer.status, answer.abstention.reason if answer.abstention else "").inc()
        for stage, milliseconds in (answer.timings or {}).items():
            self._stages.labels(stage).observe(milliseconds / 1000)
        if answer.llm is not None:
            self._llm.labels(answer.llm.status).inc()

    def refused(self, problem: str) -> None:
        """Count a request that a limit, a missing key or a foreign host name kept out."""
        self._refused.labels(problem).inc()


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus's text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **documented(),
    },
    summary="Counts for Prometheus",
)
async def metrics(request: Request) -> Response:
    """Return all counts."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
