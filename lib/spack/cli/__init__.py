"""The command line: arguments in, text and an exit code out. Nothing below this layer prints."""
