"""What mail servers and mail programs say to people, in the languages in which they say it.

Each phrase is a pattern, looked for anywhere in one line of text, large and
small letters alike. A language is added by adding to a tuple.
"""

from __future__ import annotations

import re


def any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern that finds any of them."""
    return re.compile("|".join(f"(?:{phrase})" for phrase in phrases), re.IGNORECASE)


#: A refusal that is about whoever sent the mail, or about what it says.
ABOUT_US = (
    r"spamhaus|\bspam\b|\bdns[bw]l\b|\brbl\b|bl(?:ack|ock)[ -]?list|unsolicited|reputation|complaint",
    r"\bblocked\b|\bbanned\b|\bvirus\b|rate[ -]?limit|throttl|gr[ae]y[ -]?list",
    r"\bdmarc\b|\bdkim\b|\bspf\b|unauthenticated|not authenticated|reverse dns|\bptr\b",
    r"sender (?:address|domain|verif|reject|denied|account)|(?:envelope|mail) from\b|return[ -]?path",
    r"too many (?:connections|messages|recipients)|policy (?:reasons?|violation)",
    r"content (?:rejected|filter|denied)|message (?:content )?rejected",
)

FULL = (
    r"quota|mailbox.{0,20}\bfull\b|\bfull mailbox|storage (?:space|limit)|exceeded (?:its |the )?storage|disk space",
    r"insufficient (?:system )?(?:space|storage|resources)",
    r"(?:postfach|mailbox|konto).{0,40}(?:voll\b|überfüllt|überschritten)|speicherplatz",
    r"boîte.{0,40}(?:pleine|saturée)",
    r"(?:buzón|casilla|caixa|casella).{0,40}(?:llen|cheia|pien)",
    r"postvak.{0,40}\bvol\b",
    r"переполнен",
    r"容量|一杯|已满",
)

SHUT = (
    r"(?:mailbox|account|user|recipient|address)(?: \S+){0,4}? (?:disabled|inactive|deactivated|closed|terminated)\b",
    r"(?:disabled|inactive|deactivated|closed) (?:mailbox|account|user|recipient)",
    r"no longer (?:valid|exists?|available|active|in use|with|works?)",
    r"konto (?:ist )?(?:gesperrt|deaktiviert)",
    r"compte .{0,20}(?:désactivé|fermé)",
    r"cuenta .{0,20}(?:desactivada|deshabilitada)",
)

_NOT_THERE = (
    r"\bunknown|not found|(?:does|do|did)(?: not|n.t) exist|doesn.t have"
    r"|not (?:a )?(?:valid|known|exist|listed|recogni[sz]ed)|invalid|unavailable|non-?exist|undeliverable"
    r"|could(?: not|n.t) be found"
)
UNKNOWN = (
    rf"(?:user|recipient|mailbox|account|address|alias|addressee)\b.{{0,60}}?(?:{_NOT_THERE})",
    r"(?:unknown|no such|invalid|non-?existent|bad|unrecognized) (?:local[ -]?)?(?:part|user|recipient|mailbox)",
    r"(?:unknown|no such|invalid|non-?existent|bad|unrecognized) (?:address|account|person|destination)",
    r"(?:does not|doesn.t) have an? .{1,40} account|no mailbox (?:here|by)|not our customer|wasn.t found at",
    r"unroute?able address|(?:host|domain).{0,40}(?:not found|does not exist)|null ?mx|name is not recognized",
    r"(?:empfänger|adresse|benutzer|postfach).{0,60}(?:unbekannt|ungültig|existiert nicht)",
    r"(?:empfänger|adresse|benutzer|postfach).{0,60}nicht (?:gefunden|vorhanden)",
    r"(?:destinataire|utilisateur|adresse|boîte).{0,60}(?:inconnu|introuvable|inexistant|n.existe)",
    r"(?:usuario|destinatario|dirección|buzón|cuenta).{0,60}(?:desconocid|no existe|no se (?:ha )?encontr|inexistente)",
    r"(?:utente|destinatario|indirizzo|casella).{0,60}(?:sconosciut|inesistente|non esiste|non (?:è stato )?trovat)",
    r"(?:usuário|destinatário|endereço|conta).{0,60}(?:desconhecid|não existe|não encontrad|inexistente)",
    r"(?:gebruiker|ontvanger|adres|postvak).{0,60}(?:onbekend|bestaat niet|niet gevonden)",
    r"(?:użytkownik|adres|skrzynka|konto).{0,60}(?:nieznan|nie istnieje|nie znalezion)",
    r"(?:пользовател|получател|адрес|ящик).{0,60}(?:неизвест|не существует|не найден)",
    r"(?:宛先|受信者|ユーザ|アドレス).{0,40}(?:見つかりません|存在しません|不明)",
    r"(?:用户|收件人|邮箱|地址).{0,20}(?:不存在|无效|找不到)",
)

DELAYED = (
    r"not yet been delivered|(?:has been|is) delayed|delivery delayed|warning message only",
    r"will (?:be retried|continue|keep)|still (?:trying|being tried)|delivery attempts will",
    r"noch nicht zugestellt|weiterhin versuch",
    r"pas encore été|retardé",
    r"aún no",
    r"再送",
)

#: What the subject of a report on undelivered mail holds.
REPORTS = (
    r"undeliver|non-?deliver|delivery.{0,20}(?:fail|status|report|problem|error|notif|delay)|(?:fail|delay).{0,20}deliver",
    r"returned mail|failure notice|mail delivery|mail system error|could not (?:be deliver|send)|^rejected:",
    r"unzustellbar|nicht zugestellt|zustellung.{0,30}(?:fehl|nicht)",
    r"non remis|non distribu|échec",
    r"no se puede entregar|no entregad",
    r"non recapitabile|mancato recapito",
    r"não entregue|falha",
    r"onbestelbaar|niet bezorgd",
    r"nie dostarczon",
    r"недоставлен",
    r"配信不能|(?:配信|配送|送信)エラー|エラーメール",
    r"退信|无法投递",
)

#: What the subject of an automatic answer begins with.
AWAY = (
    r"out of (?:the )?office|automatic (?:reply|response)|auto(?:matic)?[ -]?(?:reply|respon[sd]|answer)|away from",
    r"i am (?:away|out of the office)|on vacation|vacation (?:reply|notice)|holiday notice",
    r"abwesen|automatische antwort|urlaubsvertretung|ich bin (?:im urlaub|nicht im)|nicht im (?:büro|haus)",
    r"r(?:é|e)ponse automatique|absen(?:t|ce)\b|en cong",
    r"respuesta autom|fuera de (?:la )?oficina",
    r"risposta automatica|fuori sede|assente",
    r"resposta autom|fora do escrit|ausência",
    r"automatisch antwoord|afwezig|niet op kantoor",
    r"autosvar|automatiskt? svar|frånvaro|fraværende",
    r"automaattinen vastaus|poissa",
    r"automatyczna odpowied|automatická odpov|otomatik yanıt",
    r"автоответ|автоматический ответ",
    r"自动回复|自動回覆|自動返信|自動応答|不在",
    r"자동 ?(?:회신|응답)|부재",
)

#: Who sends reports on undelivered mail, by name or address.
SERVERS = (
    r"mailer[-_. ]?daemon|postmaster|mail[-_. ]?daemon|mdaemon|bounces?\b",
    r"mail ?delivery|mail system|system administrator",
)

#: Lines from which on a report returns the message that it is about, which may say anything.
RETURNED = (
    r"^[>|\t ]*--.*\b(?:copy|copie|kopie|copia|original|returned|unsent|header|below).*$",
    r"^[>|\t ]*(?:Return-Path|Received|Message-ID|MIME-Version|List-Unsubscribe):.*$",
    r"^Original message headers.*$",
)
