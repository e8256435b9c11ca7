"""What is drawn in JavaScript, and the routes that serve it."""
