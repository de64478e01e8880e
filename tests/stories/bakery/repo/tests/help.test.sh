sh till help | grep -q 'till help'
