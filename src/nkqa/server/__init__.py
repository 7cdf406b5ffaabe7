"""The HTTP server: `create_app(engine)` for any ASGI server, `serve(engine)` to run one."""
