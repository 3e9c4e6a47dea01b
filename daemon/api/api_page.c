/* api_page.c - the few pages that people see, in Vietnamese and English. Pure.
 * No script, no picture, nothing from elsewhere; the only text from outside is the agency's name, escaped.
 */
#include "api/api_http.h"

void api_html_escape(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '&': buf_addz(b, "&amp;"); break;
		case '<': buf_addz(b, "&lt;"); break;
		case '>': buf_addz(b, "&gt;"); break;
		case '"': buf_addz(b, "&quot;"); break;
		case '\'': buf_addz(b, "&#39;"); break;
		default: buf_addc(b, s.p[i]); break;
		}
	}
}

static void api_page_head(struct buf *b, const char *title, const char *agency)
{
	buf_addz(b,
		"<!DOCTYPE html>\n<html lang=\"vi\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
		"<meta name=\"robots\" content=\"noindex\"><title>");
	buf_addz(b, title);
	buf_addz(b,
		"</title><style>body{font:1.1rem/1.5 sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;"
		"color:#1a1a1a;background:#fff}button{font:inherit;padding:.7rem 1.4rem;border:0;border-radius:.4rem;"
		"background:#0b4f8a;color:#fff}.en{color:#555}</style></head><body>\n");
	if (agency != NULL) {
		buf_addz(b, "<p><strong>");
		api_html_escape(b, str_of(agency));
		buf_addz(b, "</strong></p>\n");
	}
}

static void api_page_texts(struct buf *b, const char *head, const char *vi, const char *en)
{
	buf_addf(b, "<h1>%s</h1>\n<p>%s</p>\n<p class=\"en\" lang=\"en\">%s</p>\n", head, vi, en);
}

static void api_page_foot(struct buf *b)
{
	buf_addz(b, "</body></html>\n");
}

void api_page_confirm(struct buf *b, const char *agency)
{
	api_page_head(b, "Ngừng nhận thư · Unsubscribe", agency);
	api_page_texts(b, "Ngừng nhận thư",
		"Bấm nút dưới đây nếu quý vị không muốn nhận thư từ danh sách này nữa. Chưa có gì thay đổi cho đến khi "
		"quý vị bấm nút.",
		"Press the button if you no longer wish to receive mail from this list. Nothing changes until you do.");
	buf_addz(b,
		"<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">"
		"<button type=\"submit\">Ngừng nhận thư · Unsubscribe</button></form>\n");
	api_page_foot(b);
}

void api_page_done(struct buf *b, const char *agency)
{
	api_page_head(b, "Đã ngừng gửi · Unsubscribed", agency);
	api_page_texts(b, "Đã ngừng gửi",
		"Địa chỉ của quý vị đã được đưa ra khỏi danh sách nhận thư.",
		"Your address has been taken off the list.");
	api_page_foot(b);
}

void api_page_unknown(struct buf *b, const char *agency)
{
	api_page_head(b, "Liên kết không đúng · Unknown link", agency);
	api_page_texts(b, "Liên kết không đúng",
		"Liên kết này không đúng hoặc bị cắt mất một phần. Xin mở lại liên kết trong thư.",
		"This link is wrong or incomplete. Please open the link in the mail again.");
	api_page_foot(b);
}

void api_page_later(struct buf *b, const char *agency)
{
	api_page_head(b, "Xin thử lại sau · Please try again", agency);
	api_page_texts(b, "Xin thử lại sau",
		"Yêu cầu của quý vị chưa được ghi lại. Xin thử lại sau ít phút.",
		"Your request has not been recorded. Please try again in a few minutes.");
	api_page_foot(b);
}
