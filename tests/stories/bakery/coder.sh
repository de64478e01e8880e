# Stands in for a coding agent: reads a prompt, does what it asks for, answers as Claude Code does without a screen.
prompt=$(cat)
asks() { printf '%s' "$prompt" | grep -q "$1"; }
if asks '# Task design'; then
    mkdir -p docs
    printf '# Design\n\nA command is a file in commands/. It reads lines and prints lines, and runs nothing that a customer typed.\n' > docs/DESIGN.md
    said='A command is a file in commands/.'
elif asks 'How wide is the paper'; then
    said='The printer has 32 columns; leave two free on each side.'
elif asks 'polite or familiar'; then
    said='This is a bakery: say Moin.'
elif asks 'How is a total rounded'; then
    said='As every shop here does: to five cents.'
elif asks 'Which colour'; then
    said='Brown, as bread is.'
else
    said='I do not know.'
fi
echo '{"type":"system","subtype":"init","session_id":"s-1"}'
printf '{"type":"result","subtype":"success","is_error":false,"result":"%s","session_id":"s-1","total_cost_usd":0.02,"permission_denials":[]}\n' "$said"
