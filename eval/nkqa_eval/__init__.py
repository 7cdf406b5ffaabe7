"""The evaluation bench of nkqa: gold questions, measures, runner and report; `run_command` is `nkqa eval`."""
