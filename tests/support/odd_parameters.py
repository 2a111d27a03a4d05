"""Parameters whose values hold what a shell, a kubelet, YAML or a command line could take for something else."""

ODD = {
    "quotes": 'it\'s "quoted"',
    "command": "$(touch /tmp/owned) `id`; rm -rf / && echo * | cat > x",
    "reference": "$(PARAM_QUOTES) $$ ${HOME}",
    "lines": "first\nsecond\r\n\tthird",
    "unicode": "größer ≥ 0.5 深 🚀",
    "backslash": "\\n \\",
    "option": "--help",
    "empty": "",
}
