"""What the pages share: cached handles, the frame around them, small widgets and the live chart."""
