"""The works: each module has `add_options` (of its command line) and `build` (inputs, model and one iteration)."""
