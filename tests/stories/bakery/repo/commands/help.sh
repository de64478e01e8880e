# usage: till help
for file in "$(dirname "$0")"/commands/*.sh; do
    sed -n 's/^# usage: //p' "$file"
done
