"""What spack needs for itself: its own dependencies and the tools that its developers use."""
