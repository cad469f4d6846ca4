<?php
/**
 * Plugin Name: clicktrail
 * Description: Page views and clicks by the tag; orders of WooCommerce as conversions, told by the server, and what becomes of them.
 * Version: 0.1.0
 * Requires at least: 6.3
 * License: MIT OR Apache-2.0
 *
 * In wp-config.php:
 *   define('CLICKTRAIL_HOST', 'https://clk.example');
 *   define('CLICKTRAIL_KEY', 'ck_...'); // of scope events:write; without it orders are not told
 *   define('CLICKTRAIL_CAMPAIGN', 'blog'); // may be left out
 */

if (!defined('ABSPATH')) {
    exit;
}

/** The tag on every page that is not the administration's. */
add_action('wp_enqueue_scripts', function () {
    if (defined('CLICKTRAIL_HOST')) {
        wp_enqueue_script('clicktrail', CLICKTRAIL_HOST . '/tag.js', [], null, ['strategy' => 'async']);
    }
});

add_filter('script_loader_tag', function ($tag, $handle) {
    if ($handle !== 'clicktrail' || !defined('CLICKTRAIL_CAMPAIGN')) {
        return $tag;
    }
    return str_replace(' src=', ' data-campaign="' . esc_attr(CLICKTRAIL_CAMPAIGN) . '" src=', $tag);
}, 10, 2);

/** The click that brought a visitor stays with the order: links with "append_click_id": "click_id" hand it out. */
add_action('template_redirect', function () {
    $click = sanitize_text_field(wp_unslash($_GET['click_id'] ?? ''));
    if ($click !== '' && function_exists('WC') && WC()->session) {
        // A guest with an empty cart has no session, and what is said in none is forgotten.
        if (!WC()->session->has_session()) {
            WC()->session->set_customer_session_cookie(true);
        }
        WC()->session->set('clicktrail_click', $click);
    }
});

function clicktrail_remember($order)
{
    $click = WC()->session ? WC()->session->get('clicktrail_click') : null;
    if ($click) {
        $order->update_meta_data('_clicktrail_click', $click);
    }
}

add_action('woocommerce_checkout_create_order', 'clicktrail_remember');
// The checkout block makes its orders another way, and may have saved this one.
add_action('woocommerce_store_api_checkout_update_order_meta', function ($order) {
    clicktrail_remember($order);
    $order->save();
});

/**
 * A paid order is a conversion: paid by a gateway, or, as bank transfers are, marked as completed by somebody. The order's number
 * makes it one, however often that is said; what does not arrive is left to WooCommerce's scheduler, which asks again.
 */
add_action('woocommerce_payment_complete', 'clicktrail_tell');
add_action('woocommerce_order_status_completed', 'clicktrail_tell');
add_action('clicktrail_tell_again', 'clicktrail_tell');

/** What was told and is cancelled, fails or is refunded afterwards, wholly or in part. What was never paid was never told. */
foreach (['order_status_cancelled', 'order_status_failed', 'order_status_refunded', 'order_refunded'] as $hook) {
    add_action("woocommerce_$hook", function ($order_id) {
        $order = wc_get_order($order_id);
        if ($order && $order->get_meta('_clicktrail_told')) {
            clicktrail_tell($order_id);
        }
    });
}

/** Tells what the order is now, unless that is what was told last: so it does not matter which hook came, or how late. */
function clicktrail_tell($order_id)
{
    $order = wc_get_order($order_id);
    if (!$order || !defined('CLICKTRAIL_HOST') || !defined('CLICKTRAIL_KEY')) {
        return;
    }
    $click = $order->get_meta('_clicktrail_click');
    $told = $order->get_meta('_clicktrail_told');
    $left = $order->get_total() - $order->get_total_refunded();
    $status = $order->has_status(['cancelled', 'failed', 'refunded']) || ($told && $left <= 0) ? 'rejected' : 'sale';
    $worth = wc_format_decimal($status === 'sale' ? $left : $order->get_total(), 6, true);
    $now = "$status $worth";
    if (!$click || $now === $told || ($status === 'rejected' && !$told)) {
        return;
    }
    // Before it is sent: an answer that is lost may have been a sale that counts.
    $order->update_meta_data('_clicktrail_told', 'sent');
    $order->save_meta_data();
    $answer = wp_remote_post(CLICKTRAIL_HOST . '/postback', [
        'headers' => ['Authorization' => 'Bearer ' . CLICKTRAIL_KEY],
        'timeout' => 5,
        'body' => [
            'click_id' => $click,
            'txid' => 'wc-' . $order->get_id(),
            // What a refund leaves of an order is another event of its transaction. It takes the place of the first where the
            // service has conversion_repeats = { order = "replace" }, and changes nothing where it has not.
            'event_id' => 'wc-' . $order->get_id() . " $now $click",
            'type' => 'order',
            'payout' => $worth,
            'currency' => $order->get_currency(),
            'status' => $status,
        ],
    ]);
    $code = (int) wp_remote_retrieve_response_code($answer);
    if ($code >= 200 && $code < 300) {
        $order->update_meta_data('_clicktrail_told', $now);
        $order->save_meta_data();
    } elseif (($code === 0 || $code === 429 || $code >= 500) && function_exists('as_schedule_single_action')) {
        as_schedule_single_action(time() + 60, 'clicktrail_tell_again', [$order_id]);
    }
}
