# nkqa as a container: pinned packages, the index built in, a user without rights.
# tests/replay_dockerfile.py runs these same steps without a container engine.
FROM python:3.11-slim

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONUNBUFFERED=1 \
    GRADIO_ANALYTICS_ENABLED=False \
    HF_HUB_OFFLINE=1 \
    ORT_DISABLE_TELEMETRY=1 \
    TOKENIZERS_PARALLELISM=false \
    HOME=/var/lib/nkqa \
    NKQA_CORPUS=/app/corpus \
    NKQA_INDEX=/var/lib/nkqa/index

WORKDIR /app
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY src ./src
COPY ui ./ui
COPY eval ./eval
COPY corpus ./corpus

# The CPU build of torch; it is needed to build the index, and by nothing that serves.
ARG PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
RUN pip install --constraint constraints.txt .
RUN mkdir -p /var/lib/nkqa && nkqa index build && chown -R 10001:10001 /var/lib/nkqa

USER 10001
ENV NKQA_HOST=0.0.0.0 \
    NKQA_PORT=8000
EXPOSE 8000
VOLUME /var/lib/nkqa
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=3)"]
CMD ["nkqa", "serve"]
