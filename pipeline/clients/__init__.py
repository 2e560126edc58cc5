"""What mail clients do to a mail, simulated, and what is known of them: HTML in, HTML or facts out."""
