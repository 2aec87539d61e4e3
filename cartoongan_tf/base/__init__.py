"""The ground of every program: errors, options, progress, whole files, processes, the machine."""
