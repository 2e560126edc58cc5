"""What makes HTML fit for mail clients."""
