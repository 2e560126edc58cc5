"""The SMTP mailer: sessions by the standard library, transactions by ourselves."""

from pipeline.mailers.smtp.config import SmtpConfig, Timeouts
from pipeline.mailers.smtp.mailer import Smtp

__all__ = ["Smtp", "SmtpConfig", "Timeouts"]
