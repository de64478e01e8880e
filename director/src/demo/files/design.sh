. agents/tools.sh
work "writing the design"
mkdir -p docs
cat > docs/DESIGN.md <<'END'
# Design

One file in `lib/` is one command. It reads the files it is given, or standard input, and prints one line for
each result. Its first line says what it does. Nothing but a POSIX shell is needed.
END
report "A page on how commands are built."
