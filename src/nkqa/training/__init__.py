"""How the reader's weights were made: examples, net, loop, measures and export; nothing here is served."""
