"""The evaluation bench of nkqa: gold questions, measures, runner and report."""
