/* lexer.c - tokens; see lexer.h. Numbers are in number.c. */
#include "expr/lexer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "expr/chars.h"
#include "expr/number.h"

static const char *const type_texts[] = {
    [LEX_LPAREN] = "(",     [LEX_RPAREN] = ")",    [LEX_LCURLY] = "{",  [LEX_RCURLY] = "}",
    [LEX_LSQUARE] = "[",    [LEX_RSQUARE] = "]",   [LEX_EQ] = "==",     [LEX_NE] = "!=",
    [LEX_LT] = "<",         [LEX_LE] = "<=",       [LEX_GT] = ">",      [LEX_GE] = ">=",
    [LEX_LOG_NOT] = "!",    [LEX_LOG_AND] = "&&",  [LEX_LOG_OR] = "||", [LEX_ELLIPSIS] = "..",
    [LEX_COMMA] = ",",      [LEX_SEMICOLON] = ";", [LEX_EQUALS] = "=",  [LEX_EXCHANGE] = "<->",
    [LEX_DECREMENT] = "--", [LEX_COLON] = ":",     [LEX_HYPHEN] = "-",
};

const char *lex_type_text(enum lex_type type)
{
    return (size_t)type < ARRAY_SIZE(type_texts) ? type_texts[type] : NULL;
}

const uint8_t char_classes[256] = {
    ['a' ... 'f'] = CHAR_ID | CHAR_HEX,
    ['g' ... 'z'] = CHAR_ID,
    ['A' ... 'F'] = CHAR_ID | CHAR_HEX,
    ['G' ... 'Z'] = CHAR_ID,
    ['_'] = CHAR_ID,
    ['.'] = CHAR_ID,
    ['0' ... '9'] = CHAR_DIGIT | CHAR_HEX,
    [' '] = CHAR_SPACE,
    ['\t' ... '\r'] = CHAR_SPACE,
};

static size_t id_span(const char *p)
{
    size_t n = 0;
    if (char_is(*p, CHAR_ID))
        for (n = 1; char_is(p[n], CHAR_ID | CHAR_DIGIT);)
            n++;
    return n;
}

static void set_error(struct lexer *lx, struct lex_token *t, const char *format, const char *arg)
{
    t->type = LEX_ERROR;
    t->text = arena_printf(&lx->arena, format, arg);
    t->n = strlen(t->text);
}

/* Skips blanks and comments; false at a comment that does not end. */
static bool skip_blanks(const char **p)
{
    for (;;) {
        while (char_is(**p, CHAR_SPACE))
            (*p)++;
        if (**p != '/')
            return true;
        if ((*p)[1] == '/') {
            *p += strcspn(*p, "\n");
        } else if ((*p)[1] == '*') {
            const char *end = strstr(*p + 2, "*/");
            if (!end) {
                *p += strlen(*p);
                return false;
            }
            *p = end + 2;
        } else {
            return true;
        }
    }
}

static size_t put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

static int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        if (!char_is(p[i], CHAR_HEX))
            return -1;
        v = v * 16 + (char_is(p[i], CHAR_DIGIT) ? p[i] - '0' : (p[i] | 32) - 'a' + 10);
    }
    return v;
}

/* Decodes the escape at P (after the backslash) to OUT; returns the bytes consumed, 0 if it is wrong. */
static size_t unescape(const char *p, char *out, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *s = *p ? strchr(from, *p) : NULL;
    if (s) {
        out[(*n)++] = to[s - from];
        return 1;
    }
    int c = *p == 'u' ? hex4(p + 1) : -1;
    if (c <= 0)
        return 0;
    size_t used = 5;
    if (c >= 0xd800 && c < 0xdc00) {
        int low = p[5] == '\\' && p[6] == 'u' ? hex4(p + 7) : -1;
        if (low < 0xdc00 || low >= 0xe000)
            return 0;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        used = 11;
    }
    *n += put_utf8(out + *n, (unsigned)c);
    return used;
}

/* P is after the opening quote. */
static const char *lex_string(struct lexer *lx, struct lex_token *t, const char *p)
{
    const char *end = p;
    while (*end && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    if (!*end) {
        set_error(lx, t, "Input ends inside quoted string.%s", "");
        return end;
    }
    char *out = arena_alloc(&lx->arena, (size_t)(end - p) + 1);
    size_t n = 0;
    while (p < end) {
        if (*p != '\\') {
            out[n++] = *p++;
            continue;
        }
        size_t used = unescape(p + 1, out, &n);
        if (!used) {
            set_error(lx, t, "Bad escape sequence in quoted string.%s", "");
            return end + 1;
        }
        p += 1 + used;
    }
    out[n] = '\0';
    t->type = LEX_STRING;
    t->text = out;
    t->n = n;
    return end + 1;
}

/* The sign at P; LEX_END if there is none. */
static enum lex_type sign_at(const char *p, size_t *n)
{
    static const enum lex_type plain[256] = {
        ['('] = LEX_LPAREN,  [')'] = LEX_RPAREN,  ['{'] = LEX_LCURLY,    ['}'] = LEX_RCURLY,
        ['['] = LEX_LSQUARE, [']'] = LEX_RSQUARE, ['<'] = LEX_LT,        ['>'] = LEX_GT,
        ['!'] = LEX_LOG_NOT, [','] = LEX_COMMA,   [';'] = LEX_SEMICOLON, ['='] = LEX_EQUALS,
        [':'] = LEX_COLON,   ['-'] = LEX_HYPHEN,
    };
    static const struct {
        char first, second;
        enum lex_type type;
    } pairs[] = {
        {'=', '=', LEX_EQ},       {'!', '=', LEX_NE},        {'<', '=', LEX_LE},
        {'>', '=', LEX_GE},       {'&', '&', LEX_LOG_AND},   {'|', '|', LEX_LOG_OR},
        {'.', '.', LEX_ELLIPSIS}, {'-', '-', LEX_DECREMENT},
    };
    *n = 2;
    if (p[1] == p[0] || p[1] == '=')
        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
            if (p[0] == pairs[i].first && p[1] == pairs[i].second)
                return pairs[i].type;
    *n = 3;
    if (p[0] == '<' && p[1] == '-' && p[2] == '>')
        return LEX_EXCHANGE;
    *n = 1;
    return plain[(unsigned char)*p];
}

static const char *lex_sign(struct lexer *lx, struct lex_token *t, const char *p)
{
    size_t n;
    enum lex_type type = sign_at(p, &n);
    if (type) {
        t->type = type;
        return p + n;
    }
    if (*p == '|' || *p == '&') {
        char c[3] = {*p, *p, 0};
        set_error(lx, t,
                  *p == '|' ? "`|' is only valid as part of `%s'."
                            : "`&' is only valid as part of `%s'.",
                  c);
    } else {
        char c[8];
        if (isprint((unsigned char)*p))
            snprintf(c, sizeof c, "%c", *p);
        else
            snprintf(c, sizeof c, "\\x%02x", (unsigned char)*p);
        set_error(lx, t, "Invalid character `%s' in input.", c);
    }
    return p + 1;
}

static const char *lex_token(struct lexer *lx, struct lex_token *t, const char *p)
{
    const char *message;
    size_t n;

    *t = (struct lex_token){.type = LEX_END};
    if (!skip_blanks(&p)) {
        set_error(lx, t, "`/*' without matching `*/'.%s", "");
        t->start = t->end = (size_t)(p - lx->input);
        return p;
    }
    t->start = (size_t)(p - lx->input);
    if (!*p) {
        /* the end */
    } else if (*p == '"') {
        p = lex_string(lx, t, p + 1);
    } else if (*p == '$' || *p == '@') {
        t->type = *p == '$' ? LEX_MACRO : LEX_PORT_GROUP;
        t->text = p + 1;
        t->n = id_span(p + 1);
        if (!t->n)
            set_error(lx, t,
                      *p == '$' ? "`$' must be followed by a valid identifier.%s"
                                : "`@' must be followed by a valid identifier.%s",
                      "");
        p += 1 + id_span(p + 1);
    } else if ((n = number_lex(p, t, &message))) {
        if (message)
            set_error(lx, t, "%s", message);
        p += n;
    } else if (p[0] == '.' && p[1] == '.') {
        p = lex_sign(lx, t, p);
    } else if ((n = id_span(p))) {
        t->type = LEX_ID;
        t->text = p;
        t->n = n;
        p += n;
    } else {
        p = lex_sign(lx, t, p);
    }
    t->end = (size_t)(p - lx->input);
    return p;
}

void lexer_init(struct lexer *lx, const char *input)
{
    *lx = (struct lexer){.input = input, .next = input, .arena = ARENA_INIT};
    lexer_get(lx);
}

void lexer_fini(struct lexer *lx)
{
    arena_fini(&lx->arena);
}

void lexer_get(struct lexer *lx)
{
    if (lx->has_ahead) {
        lx->token = lx->ahead;
        lx->has_ahead = false;
    } else {
        lx->next = lex_token(lx, &lx->token, lx->next);
    }
}

enum lex_type lexer_lookahead(struct lexer *lx)
{
    if (!lx->has_ahead) {
        lx->next = lex_token(lx, &lx->ahead, lx->next);
        lx->has_ahead = true;
    }
    return lx->ahead.type;
}

bool lexer_match(struct lexer *lx, enum lex_type type)
{
    if (lx->token.type != type)
        return false;
    lexer_get(lx);
    return true;
}

bool lexer_is_id(const struct lexer *lx, const char *id)
{
    return lx->token.type == LEX_ID && lx->token.n == strlen(id) &&
           !memcmp(lx->token.text, id, lx->token.n);
}

bool lexer_match_id(struct lexer *lx, const char *id)
{
    if (!lexer_is_id(lx, id))
        return false;
    lexer_get(lx);
    return true;
}

int lexer_error(struct lexer *lx, struct diag *diag, const char *expecting, ...)
{
    const struct lex_token *t = &lx->token;
    if (t->type == LEX_ERROR)
        return diag_set_at(diag, ERR_SYNTAX, (long)t->start, "%s", t->text);
    struct str s = STR_INIT;
    if (t->type == LEX_END)
        str_put(&s, "Syntax error at end of input");
    else
        str_putf(&s, "Syntax error at `%.*s'", (int)MIN(t->end - t->start, 1000),
                 lx->input + t->start);
    if (expecting) {
        va_list args;
        va_start(args, expecting);
        str_putc(&s, ' ');
        str_vputf(&s, expecting, args);
        va_end(args);
    }
    str_putc(&s, '.');
    int rc = diag_set_at(diag, ERR_SYNTAX, (long)t->start, "%s", str_c(&s));
    str_fini(&s);
    return rc;
}

int lexer_force(struct lexer *lx, enum lex_type type, struct diag *diag)
{
    if (lexer_match(lx, type))
        return 0;
    return lexer_error(lx, diag, "expecting `%s'", lex_type_text(type));
}

int lexer_force_end(struct lexer *lx, struct diag *diag)
{
    if (lx->token.type == LEX_END)
        return 0;
    return lexer_error(lx, diag, "expecting end of input");
}

int lexer_force_int(struct lexer *lx, struct diag *diag, int64_t *ret)
{
    const struct lex_token *t = &lx->token;
    if (t->type != LEX_INTEGER || (t->format != LEX_DECIMAL && t->format != LEX_HEX) ||
        t->width > 31)
        return lexer_error(lx, diag, "expecting small integer");
    *ret = (int64_t)t->value;
    lexer_get(lx);
    return 0;
}

void lex_string_print(struct str *out, const char *text, size_t n)
{
    str_putc(out, '"');
    for (size_t i = 0; i < n; i++) {
        size_t plain = i;
        while (plain < n && (unsigned char)text[plain] >= 32 && text[plain] != '"' &&
               text[plain] != '\\')
            plain++;
        str_put_n(out, text + i, plain - i);
        i = plain;
        if (i == n)
            break;
        unsigned char c = (unsigned char)text[i];
        static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
        const char *s = c ? strchr(from, c) : NULL;
        if (s) {
            str_putc(out, '\\');
            str_putc(out, to[s - from]);
        } else if (c < 32) {
            str_putf(out, "\\u%04x", c);
        } else {
            str_putc(out, (char)c);
        }
    }
    str_putc(out, '"');
}

void lex_token_print(const struct lex_token *t, struct str *out)
{
    switch (t->type) {
    case LEX_END:
        break;
    case LEX_ID:
        str_put_n(out, t->text, t->n);
        break;
    case LEX_MACRO:
    case LEX_PORT_GROUP:
        str_putc(out, t->type == LEX_MACRO ? '$' : '@');
        str_put_n(out, t->text, t->n);
        break;
    case LEX_STRING:
        lex_string_print(out, t->text, t->n);
        break;
    case LEX_ERROR:
        str_put(out, "error(");
        lex_string_print(out, t->text, t->n);
        str_putc(out, ')');
        break;
    case LEX_INTEGER:
        lex_value_print(out, t->format, t->value);
        break;
    case LEX_MASKED_INTEGER:
        lex_masked_print(out, t->format, t->value, t->mask);
        break;
    default:
        str_put(out, lex_type_text(t->type));
    }
}
