# help: lists the commands
for file in "$here"/lib/*.sh; do
    name=$(basename "$file" .sh)
    sed -n "1s/^# $name: /$name	/p" "$file"
done
